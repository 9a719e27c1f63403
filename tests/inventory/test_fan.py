"""The fan's cookie: ours to the last character or nobody's."""

import pytest

from inventory import fan


def test_new_fan_is_26_lowercase_base32_characters():
    made = {fan.new_fan() for _ in range(100)}
    assert len(made) == 100
    assert {len(one) for one in made} == {26}
    assert set("".join(made)) <= set("abcdefghijklmnopqrstuvwxyz234567")


def test_read_returns_the_fan_that_was_signed():
    who = fan.new_fan()
    assert fan.read(fan.sign(who)) == who


@pytest.mark.parametrize(
    "spoil",
    [
        lambda cookie: None,
        lambda cookie: "",
        lambda cookie: cookie[:26],
        lambda cookie: cookie[:27],
        lambda cookie: cookie[:-1],
        lambda cookie: cookie + "A",
        lambda cookie: ("b" if cookie[0] == "a" else "a") + cookie[1:],
        lambda cookie: cookie.upper(),
        lambda cookie: cookie.replace(".", ":"),
        lambda cookie: "." + cookie,
        lambda cookie: cookie[:30] + "\ud800" + cookie[31:],
        lambda cookie: "x" * 10_000,
    ],
)
def test_read_refuses_a_tampered_cookie(spoil):
    assert fan.read(spoil(fan.sign(fan.new_fan()))) is None


def test_cookie_of_another_key_is_nobody_s(settings):
    cookie = fan.sign(fan.new_fan())
    settings.SECRET_KEY = "another"
    assert fan.read(cookie) is None


def test_csrf_token_belongs_to_one_fan_and_is_no_cookie():
    who, other = fan.new_fan(), fan.new_fan()
    token = fan.csrf_token(who)
    assert fan.csrf_ok(who, token) is True
    assert fan.csrf_ok(other, token) is False
    assert fan.csrf_ok(who, None) is False
    assert fan.csrf_ok(who, "") is False
    assert fan.csrf_ok(who, token + "\ud800") is False
    assert fan.read(f"{who}.{token}") is None


def test_cookie_header_is_for_the_whole_site_and_not_for_scripts(settings):
    settings.HTTPS = False
    who = fan.new_fan()
    assert fan.set_cookie_header(who) == (f"fan={fan.sign(who)}; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax")
    settings.HTTPS = True
    assert fan.set_cookie_header(who).endswith("; SameSite=Lax; Secure")
