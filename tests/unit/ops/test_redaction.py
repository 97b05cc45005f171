"""What no line may show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import Notification, State
from connector.ops.redaction import REDACTED, Redaction

CANARY = "c4n4ry-Tremblay"


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://erp.example:8443/api/sync/order/list?key={CANARY} failed",
        f"GET /api/sync/order/list?ApiToken={CANARY}",
        f"https://user:{CANARY}@erp.example/api",
        f"Authorization: Bearer {CANARY}",
        f"authorization='Basic {CANARY}'",
        f"the key Bearer {CANARY} is refused",
        f"Cookie: a=b; session={CANARY}; c=d",
        f"set-cookie: session={CANARY}",
        f"ApiToken: {CANARY}",
        f"{{'ApiToken': '{CANARY}'}}",
        f'headers {{"X-API-Key": "{CANARY}"}}',
        f"api_key={CANARY}&x=1",
        f"api-key = {CANARY}",
        f"sasl_password={CANARY}",
        f"access_token={CANARY}",
        f'[{{"Customer_Last_Name": "{CANARY}", "SyncID": 11}}]',
        f'[ {{\n"Customer_Last_Name": "{CANARY}"',
        f'{{"Order_Number": 4700, "Customer_First_Name": "{CANARY}"}}',
        f'body b\'{{"Customer_City": "{CANARY}"}}\'',
        f"got b'{CANARY}' instead",
        f"write to {CANARY}@example.com",
        "call (418) 555-0199",
        "call 418-555-0199",
    ],
)
def test_secret_or_personal_text_is_taken_out(text: str) -> None:
    """Wherever it stands in a line, it does not come out."""
    shown = Redaction().text(text)
    assert CANARY not in shown
    assert "555" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "the ERP answered with a login page at https://erp.example:8443/api/sync/order/list: look at base_url",
        "none ever seen: is the module API Triggers Activation on?",
        "SyncID 48393 makes a record of 1200000 bytes, the topic takes 1048576",
        "topic montreal.order has 6 partitions, the watermark knows 3: [0, 1, 2]",
        "kafka-1:9092 cannot be reached: [Errno 111] Connect call failed ('10.0.0.7', 9092)",
        "set sites.montreal.token_file or sites.montreal.tls.ca_file",
        "2026-11-22T16:44:10.703571Z",
    ],
)
def test_what_an_operator_needs_stays(text: str) -> None:
    """The messages that the program makes are shown as they are."""
    assert Redaction().text(text) == text


@pytest.mark.parametrize(
    "key",
    [
        *("authorization", "Cookie", "token", "api_token", "ApiToken", "x-api-key", "password", "client_secret"),
        *(
            "payload",
            "body",
            "raw",
            "record",
            "notification",
            "value",
            "response_text",
            "headers",
            "Customer_Last_Name",
        ),
    ],
)
def test_fields_of_secrets_and_payloads_are_taken_out(key: str) -> None:
    """A field whose name says what it holds is not shown, whatever it holds."""
    for value in (CANARY, [CANARY], {"inner": CANARY}, CANARY.encode()):
        assert Redaction().line({key: value}) == {key: REDACTED}


def test_numbers_stay_and_objects_are_only_named() -> None:
    """Counts and states are shown; a record is not, even under a harmless name."""
    notification = Notification(sync_id=11, raw=CANARY.encode(), content_hash=b"")
    fields = {"records": 5, "seconds": 0.5, "what": notification, "state": State.BLOCKED, "none": None, "on": True}
    assert Redaction().line(fields) == {
        "records": 5,
        "seconds": 0.5,
        "what": "<Notification>",
        "state": "blocked",
        "none": None,
        "on": True,
    }


def test_inner_values_are_cleaned() -> None:
    """A secret inside a mapping inside a list is found, too."""
    line = Redaction().line({"sites": [{"name": "m", "token": CANARY, "url": f"https://x/y?k={CANARY}"}]})
    assert line == {"sites": [{"name": "m", "token": REDACTED, "url": f"https://x/y?{REDACTED}"}]}


def test_known_secrets_are_taken_out_wherever_they_stand() -> None:
    """The tokens in use are known, so no rule has to guess them."""
    redaction = Redaction([CANARY, "abc", ""])
    assert redaction.text(f"odd place <{CANARY}> abc") == f"odd place <{REDACTED}> abc"


def test_one_line_stays_one_line() -> None:
    """A text cannot begin a line of its own in the log, nor make it endless."""
    assert "\n" not in Redaction().text("first\nsecond\r\x1b[31mthird")
    assert len(Redaction().text("x" * 5_000)) < 1_100


@given(st.text(max_size=300))
def test_any_text_is_cleaned_without_failing(text: str) -> None:
    """Whatever is logged, redaction answers, in text that fits one line."""
    shown = Redaction([CANARY]).text(text, is_foreign=True)
    assert not any(ord(character) < 32 for character in shown)


@given(before=st.text("ab =:'\"{[,&?/;", max_size=12), after=st.text("ab =:'\"}],&?/;", max_size=12))
def test_token_after_its_name_never_survives(before: str, after: str) -> None:
    """Whatever stands around it, a token that follows its own name is taken out."""
    assert CANARY not in Redaction().text(f"{before} token={CANARY}{after}")
