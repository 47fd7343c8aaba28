"""What code of a plugin did is said in a line, once, and no more often than a reader would read."""

from zoo.registry.plugin_messages import MAX_REMARKS, Conduct, HardExit, describe_exception


def test_a_remark_is_made_once_and_only_so_many_are_kept() -> None:
    conduct = Conduct("plugin 'acme' of detzoo-acme 1.0", "at import")
    for number in range(2 * MAX_REMARKS):
        conduct.tell(f"changes place {number // 2}", "that is undone.")
    assert conduct.remarks[0] == "changes place 0 at import; that is undone."
    assert len(conduct.remarks) == len(set(conduct.remarks)) == MAX_REMARKS
    conduct.tell("changes one more", "that is undone.")
    assert len(conduct.remarks) == MAX_REMARKS


def test_an_interrupt_names_the_plugin_and_the_stage() -> None:
    conduct = Conduct("plugin 'acme' of detzoo-acme 1.0", "at import", advice="Report it.")
    assert str(conduct.interrupt_error()) == (
        "Interrupted in the plugin 'acme' of detzoo-acme 1.0, at import. Report it."
    )


def test_an_exit_and_an_exception_are_told_in_one_line() -> None:
    assert describe_exception(SystemExit(3)) == "called sys.exit(3)"
    assert describe_exception(HardExit(0)) == "called os._exit(0)"
    assert describe_exception(ValueError("two\n  lines")) == "raised ValueError: two lines"


def test_an_exception_that_can_not_be_printed_has_a_name() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert describe_exception(Mute()) == "raised Mute"
