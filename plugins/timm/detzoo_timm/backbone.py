"""A timm network as a backbone: its feature maps chosen by stride, as timm itself describes
them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import timm
import torch
from torch import Tensor, nn

from zoo.contract import FeatureLevel
from zoo.errors import ContractError, NameNotFound
from zoo.suggest import close_matches, suggest


class TimmBackbone(nn.Module):
    """Feature maps of a timm network, finest first.

    levels: channels and stride of each map.
    size:   the one height and width of images it takes; None is any.
    body:   the network, with timm's names of tensors.
    """

    def __init__(
        self, body: nn.Module, levels: tuple[FeatureLevel, ...], *, size: tuple[int, int] | None
    ) -> None:
        super().__init__()
        self.body = body
        self.levels = levels
        self.size = size
        self._channels_last = getattr(body, "output_fmt", None) == "NHWC"  # Swin and its kin
        self.register_load_state_dict_post_hook(_fill_tables)  # type: ignore[no-untyped-call]

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Images `(b, 3, h, w)` to one map `(b, channels, h / stride, w / stride)` a level."""
        maps = self.body(images)
        return tuple(
            each.permute(0, 3, 1, 2) if self._channels_last else each for each in maps
        )  # (b, c, h / s, w / s)


def build(
    name: str,
    *,
    strides: Sequence[int] = (8, 16, 32),
    size: Sequence[int] | None = None,
    in_chans: int = 3,
) -> TimmBackbone:
    """The timm network `name` with random weights, giving its deepest map at each of the strides;
    nothing is downloaded.

    size: height and width of images, for a network that is built for one size (Swin, MaxViT, LeViT
          …); None is the size of its published weights.

    Raises:
        NameNotFound: timm has no such network; the message has the nearest names.
        ContractError: it gives no feature maps, or none at a stride, or is not built for that size.
    """
    failure = f"The backbone 'timm/{name}' at strides {_join(strides)} can't be built."
    if not timm.is_model(name):
        raise _unknown(failure, name)
    indices = _deepest(name, failure)
    if missing := [stride for stride in strides if stride not in indices]:
        raise ContractError(
            failure,
            f"It has no map at stride {_join(missing)}; it has {_join(indices)}.",
            f"Ask for strides among {_join(indices)}.",
        )
    only = _only_size(name)
    chosen: dict[str, Any] = (
        {} if size is None else {"img_size": _checked_size(failure, size, only)}
    )
    out_indices = sorted(indices[stride] for stride in strides)
    try:
        body = timm.create_model(
            name, features_only=True, out_indices=out_indices, in_chans=in_chans, **chosen
        )
    except (AssertionError, RuntimeError, TypeError, ValueError) as error:
        raise ContractError(
            failure,
            f"timm does not build it for {size}: {error or type(error).__name__}.",
            "Leave size out.",
        ) from error
    info: Any = body.feature_info
    levels = tuple(
        FeatureLevel(*pair) for pair in zip(info.channels(), info.reduction(), strict=True)
    )
    return TimmBackbone(body, levels, size=chosen.get("img_size", only))


def _deepest(name: str, failure: str) -> dict[int, int]:
    """The index of the last map at each stride, finest first; asked of a network that holds no
    weights."""
    try:
        with torch.device("meta"):
            info: Any = timm.create_model(name, features_only=True).feature_info
    except (AssertionError, AttributeError, RuntimeError, TypeError) as error:
        raise ContractError(
            failure,
            f"timm does not take feature maps from it: {error or type(error).__name__}.",
            "Choose another network.",
        ) from error
    return {level["reduction"]: index for index, level in enumerate(info.info)}


def _only_size(name: str) -> tuple[int, int] | None:
    """The height and width that timm says a network is bound to, unless it is built for others."""
    published = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if published is None or not published.fixed_input_size:
        return None
    _, height, width = published.input_size
    return height, width


def _checked_size(
    failure: str, size: Sequence[int], only: tuple[int, int] | None
) -> tuple[int, int]:
    if only is None:
        raise ContractError(
            failure,
            f"It takes images of any size, and size={size} was given.",
            "Leave size out.",
        )
    height, width = size
    return height, width


def _fill_tables(backbone: nn.Module, _: object) -> None:
    """Computes what no checkpoint holds, such as index tables of attention windows, once the
    weights are in.

    Only a network that was built on the meta device lacks them; timm computes them where the
    weights are.
    """
    saved, device = backbone.state_dict().keys(), next(backbone.parameters()).device
    for path, module in backbone.named_modules():
        empty = [
            name
            for name, buffer in module.named_buffers(recurse=False)
            if buffer.is_meta and f"{path}.{name}" not in saved
        ]
        for name in empty:
            setattr(module, name, torch.empty_like(getattr(module, name), device=device))
        if empty and callable(fill := getattr(module, "init_non_persistent_buffers", None)):
            fill()


def _unknown(failure: str, name: str) -> NameNotFound:
    names = (f"timm/{each}" for each in close_matches(name, timm.list_models()))
    fix = suggest(names, otherwise="timm.list_models() lists them all.")
    return NameNotFound(failure, "timm has no network of that name.", fix)


def _join(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in numbers)
