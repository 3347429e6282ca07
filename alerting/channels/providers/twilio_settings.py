"""What a Twilio account needs to be used. Never shows its secrets in a repr."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TwilioSettings:
    """One account with one sender.

    base_url: a local emulator instead of Twilio; None = Twilio. `public_url`: where Twilio calls us back.
    key_sid, key_secret: an API key to send with; the auth token is needed all the same, to check callbacks.
    previous_auth_token: still believed in callbacks while a token is being rotated.
    webhook_key: the secret of a shared key, where the account signs its callbacks with one (HMAC-SHA256).
    """

    account_sid: str
    auth_token: str = field(repr=False)
    from_number: str
    """E.164 number, or for SMS the SID of a messaging service (`MG...`)."""
    public_url: str
    base_url: str | None = None
    key_sid: str | None = None
    key_secret: str | None = field(default=None, repr=False)
    previous_auth_token: str | None = field(default=None, repr=False)
    webhook_key: str | None = field(default=None, repr=False)
    validity_s: int = 120
    """A text that leaves Twilio's queue later than this is dropped: an alarm read at dawn does harm."""
    ring_s: int = 25
    """Short of most voicemails."""
    two_way: bool = False
    """Can a person answer a text of this sender?"""
    list_lag_s: float = 1.5
    """How long Twilio's lists trail behind its acceptances."""
    calls_per_second: float = 1.0
    """Calls that the account starts in a second; Twilio queues the rest. One, until Twilio has approved more."""
    connections_max: int = 512

    def __post_init__(self) -> None:
        if not 1 <= self.validity_s <= 36_000:
            raise ValueError("validity_s must be 1 to 36000 seconds")
        if not 5 <= self.ring_s <= 600:
            raise ValueError("ring_s must be 5 to 600 seconds")
        if not 0.1 <= self.calls_per_second <= 1000:
            raise ValueError("calls_per_second must be 0.1 to 1000")
        if (self.key_sid is None) != (self.key_secret is None):
            raise ValueError("key_sid and key_secret come together")
