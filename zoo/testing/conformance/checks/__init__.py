"""The checks. Each tests one promise and can be called alone, as `check_best_first(detector)`; a
broken promise raises ConformanceError.

Most take a detector, with random or trained weights, and leave it as it was. Those that build it
again or read its card take a `zoo.testing.Model`. A check that does not apply raises NotApplicable.
"""

from zoo.testing.conformance.checks.answers import check_best_first as check_best_first
from zoo.testing.conformance.checks.answers import (
    check_boxes_between_pixels as check_boxes_between_pixels,
)
from zoo.testing.conformance.checks.answers import (
    check_boxes_follow_the_image as check_boxes_follow_the_image,
)
from zoo.testing.conformance.checks.answers import (
    check_boxes_inside_the_image as check_boxes_inside_the_image,
)
from zoo.testing.conformance.checks.answers import check_corners_in_order as check_corners_in_order
from zoo.testing.conformance.checks.answers import (
    check_finite_everywhere as check_finite_everywhere,
)
from zoo.testing.conformance.checks.answers import check_labels_in_range as check_labels_in_range
from zoo.testing.conformance.checks.answers import (
    check_one_result_per_image as check_one_result_per_image,
)
from zoo.testing.conformance.checks.answers import (
    check_scores_are_probabilities as check_scores_are_probabilities,
)
from zoo.testing.conformance.checks.answers import check_sees_something as check_sees_something
from zoo.testing.conformance.checks.background import (
    check_background_is_unlearnt as check_background_is_unlearnt,
)
from zoo.testing.conformance.checks.background import (
    check_background_is_unlearnt_everywhere as check_background_is_unlearnt_everywhere,
)
from zoo.testing.conformance.checks.batches import (
    check_batch_of_one_equals_single as check_batch_of_one_equals_single,
)
from zoo.testing.conformance.checks.batches import (
    check_large_batches_change_nothing as check_large_batches_change_nothing,
)
from zoo.testing.conformance.checks.batches import (
    check_neighbours_change_nothing as check_neighbours_change_nothing,
)
from zoo.testing.conformance.checks.batches import check_order_kept as check_order_kept
from zoo.testing.conformance.checks.building import (
    check_building_changes_no_setting as check_building_changes_no_setting,
)
from zoo.testing.conformance.checks.building import (
    check_classes_carried_over as check_classes_carried_over,
)
from zoo.testing.conformance.checks.building import check_labels_obeyed as check_labels_obeyed
from zoo.testing.conformance.checks.building import check_meta_device as check_meta_device
from zoo.testing.conformance.checks.building import check_no_network as check_no_network
from zoo.testing.conformance.checks.building import check_one_class as check_one_class
from zoo.testing.conformance.checks.building import (
    check_registering_imports_no_torch as check_registering_imports_no_torch,
)
from zoo.testing.conformance.checks.building import check_seeded as check_seeded
from zoo.testing.conformance.checks.building import (
    check_space_is_the_cards as check_space_is_the_cards,
)
from zoo.testing.conformance.checks.card import (
    check_card_counts_parameters as check_card_counts_parameters,
)
from zoo.testing.conformance.checks.card import (
    check_card_declares_its_input as check_card_declares_its_input,
)
from zoo.testing.conformance.checks.card import check_card_has_a_licence as check_card_has_a_licence
from zoo.testing.conformance.checks.card import check_card_has_labels as check_card_has_labels
from zoo.testing.conformance.checks.card import (
    check_card_says_what_it_is as check_card_says_what_it_is,
)
from zoo.testing.conformance.checks.card import (
    check_claims_have_sources as check_claims_have_sources,
)
from zoo.testing.conformance.checks.card import (
    check_weights_have_sources as check_weights_have_sources,
)
from zoo.testing.conformance.checks.classes import (
    check_class_rows_are_its_own as check_class_rows_are_its_own,
)
from zoo.testing.conformance.checks.classes import (
    check_weights_serve_any_prompt as check_weights_serve_any_prompt,
)
from zoo.testing.conformance.checks.engines import (
    check_engine_agrees_with_torch as check_engine_agrees_with_torch,
)
from zoo.testing.conformance.checks.engines import (
    check_engine_closes as check_engine_closes,
)
from zoo.testing.conformance.checks.engines import (
    check_engine_says_what_it_is as check_engine_says_what_it_is,
)
from zoo.testing.conformance.checks.engines import (
    check_engine_serves_threads as check_engine_serves_threads,
)
from zoo.testing.conformance.checks.engines import (
    check_engine_takes_any_batch as check_engine_takes_any_batch,
)
from zoo.testing.conformance.checks.expects import check_claim_reached as check_claim_reached
from zoo.testing.conformance.checks.expects import (
    check_expected_detections as check_expected_detections,
)
from zoo.testing.conformance.checks.forward import (
    check_outputs_are_a_pytree as check_outputs_are_a_pytree,
)
from zoo.testing.conformance.checks.forward import (
    check_parameters_are_used_in_forward as check_parameters_are_used_in_forward,
)
from zoo.testing.conformance.checks.forward import (
    check_targets_are_for_training as check_targets_are_for_training,
)
from zoo.testing.conformance.checks.forward import (
    check_thresholds_are_filled as check_thresholds_are_filled,
)
from zoo.testing.conformance.checks.input_forms import check_deterministic as check_deterministic
from zoo.testing.conformance.checks.input_forms import (
    check_every_form_gives_the_same as check_every_form_gives_the_same,
)
from zoo.testing.conformance.checks.input_forms import (
    check_gray_is_no_special_case as check_gray_is_no_special_case,
)
from zoo.testing.conformance.checks.input_forms import (
    check_images_untouched as check_images_untouched,
)
from zoo.testing.conformance.checks.learning import (
    check_loss_leads_to_the_truth as check_loss_leads_to_the_truth,
)
from zoo.testing.conformance.checks.learning import (
    check_loss_teaches_the_named_class as check_loss_teaches_the_named_class,
)
from zoo.testing.conformance.checks.portable import (
    check_batch_moves_as_a_whole as check_batch_moves_as_a_whole,
)
from zoo.testing.conformance.checks.portable import (
    check_preprocess_at_any_size as check_preprocess_at_any_size,
)
from zoo.testing.conformance.checks.portable import (
    check_preprocess_needs_no_network as check_preprocess_needs_no_network,
)
from zoo.testing.conformance.checks.preparing import check_input_is_ready as check_input_is_ready
from zoo.testing.conformance.checks.preparing import check_input_size_kept as check_input_size_kept
from zoo.testing.conformance.checks.preparing import (
    check_places_lead_back as check_places_lead_back,
)
from zoo.testing.conformance.checks.preparing import (
    check_places_point_at_the_pixels as check_places_point_at_the_pixels,
)
from zoo.testing.conformance.checks.preparing import (
    check_prepared_as_declared as check_prepared_as_declared,
)
from zoo.testing.conformance.checks.preparing import (
    check_resized_as_declared as check_resized_as_declared,
)
from zoo.testing.conformance.checks.settings import check_max_boxes_obeyed as check_max_boxes_obeyed
from zoo.testing.conformance.checks.settings import (
    check_score_floor_obeyed as check_score_floor_obeyed,
)
from zoo.testing.conformance.checks.settings import (
    check_settings_of_its_own as check_settings_of_its_own,
)
from zoo.testing.conformance.checks.shapes import check_any_size as check_any_size
from zoo.testing.conformance.checks.shapes import (
    check_empty_image_refused as check_empty_image_refused,
)
from zoo.testing.conformance.checks.shapes import check_long_and_flat as check_long_and_flat
from zoo.testing.conformance.checks.shapes import check_nothing_to_see as check_nothing_to_see
from zoo.testing.conformance.checks.shapes import check_one_pixel as check_one_pixel
from zoo.testing.conformance.checks.state import check_deep_copy as check_deep_copy
from zoo.testing.conformance.checks.state import check_float64 as check_float64
from zoo.testing.conformance.checks.state import check_other_device as check_other_device
from zoo.testing.conformance.checks.state import check_pickle as check_pickle
from zoo.testing.conformance.checks.state import (
    check_state_through_safetensors as check_state_through_safetensors,
)
from zoo.testing.conformance.checks.state import check_threads as check_threads
from zoo.testing.conformance.checks.suppression import (
    check_best_of_what_is_kept as check_best_of_what_is_kept,
)
from zoo.testing.conformance.checks.suppression import (
    check_iou_is_the_callers as check_iou_is_the_callers,
)
from zoo.testing.conformance.checks.suppression import check_iou_obeyed as check_iou_obeyed
from zoo.testing.conformance.checks.suppression import (
    check_many_boxes_returned as check_many_boxes_returned,
)
from zoo.testing.conformance.checks.suppression import (
    check_max_boxes_is_the_callers as check_max_boxes_is_the_callers,
)
from zoo.testing.conformance.checks.suppression import (
    check_only_overlaps_suppressed as check_only_overlaps_suppressed,
)
from zoo.testing.conformance.checks.training import (
    check_a_batch_without_objects_trains as check_a_batch_without_objects_trains,
)
from zoo.testing.conformance.checks.training import (
    check_detecting_leaves_no_trace as check_detecting_leaves_no_trace,
)
from zoo.testing.conformance.checks.training import (
    check_gradients_reach_every_part as check_gradients_reach_every_part,
)
from zoo.testing.conformance.checks.training import (
    check_image_without_objects_trains as check_image_without_objects_trains,
)
from zoo.testing.conformance.checks.training import (
    check_loss_follows_the_truth as check_loss_follows_the_truth,
)
from zoo.testing.conformance.checks.training import check_loss_is_finite as check_loss_is_finite
from zoo.testing.conformance.checks.training import check_mode_restored as check_mode_restored
from zoo.testing.conformance.checks.training import check_truth_untouched as check_truth_untouched
from zoo.testing.conformance.checks.training import (
    check_unknown_label_refused as check_unknown_label_refused,
)
from zoo.testing.conformance.checks.truths import (
    check_every_image_counts as check_every_image_counts,
)
from zoo.testing.conformance.checks.truths import (
    check_every_object_counts as check_every_object_counts,
)
from zoo.testing.conformance.checks.truths import (
    check_loss_is_per_image_or_summed as check_loss_is_per_image_or_summed,
)
from zoo.testing.conformance.checks.truths import (
    check_small_and_many_objects_train as check_small_and_many_objects_train,
)
