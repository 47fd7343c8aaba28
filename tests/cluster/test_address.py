"""`--cluster` takes `local` or an address; what is neither is told what to write."""

import pytest

from zoo.cluster.address import Address
from zoo.errors import UsageError


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("local", (None, None, None, None)),
        ("local,workers=4", (None, None, 4, None)),
        (" local , threads=2,workers=1 ", (None, None, 1, 2)),
        ("ray://10.0.0.7:10001", ("10.0.0.7", 10001, None, None)),
        ("ray://head.example:9,workers=300", ("head.example", 9, 300, None)),
        ("ray://[::1]:10001", ("::1", 10001, None, None)),
    ],
)
def test_an_address_is_read(text: str, made: tuple[object, ...]) -> None:
    address = Address.of(text)
    assert (address.host, address.port, address.workers, address.threads) == made
    assert address.is_local is (made[0] is None)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("10.0.0.7", "ray://10.0.0.7:10001"),
        ("10.0.0.7:6379", "ray://10.0.0.7:10001"),
        ("http://head.example:8265/", "ray://head.example:10001"),
        ("ray://head", "ray://head:10001"),
        ("ray://head:99999", "ray://head:10001"),
        ("locale", "ray://HOST:10001"),
        ("", "ray://HOST:10001"),
        ("ray://a b:1", "ray://HOST:10001"),
    ],
)
def test_another_text_is_told_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(UsageError, match="neither local nor ray://HOST:PORT") as raised:
        Address.of(text)
    assert f"--cluster {advice}" in raised.value.fix_cli
    assert f"cluster='{advice}'" in raised.value.fix


@pytest.mark.parametrize("option", ["cores=2", "thread"])
def test_an_option_that_is_none_is_named(option: str) -> None:
    with pytest.raises(UsageError, match=f"'{option}' is none of its options"):
        Address.of(f"local,{option}")


@pytest.mark.parametrize("option", ["workers=0", "workers=two", "threads=", "workers=9e9"])
def test_a_number_that_is_none_is_named(option: str) -> None:
    name, value = option.split("=")
    with pytest.raises(UsageError, match=f"{name} is a number, 1 or more, and not '{value}'"):
        Address.of(f"local,{option}")
