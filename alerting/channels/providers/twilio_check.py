"""A cheap look at a Twilio account: are the credentials believed, is it active, what is left of its balance. Sends
nothing, never raises, never shows a secret."""

import asyncio

from alerting.channels.base import Busy, Finding, Health, HealthWord, Rejected, Unknown
from alerting.channels.providers.twilio_client import Resource, Trouble, TwilioAccount, text_of

look_timeout_s = 4.0
balance_low = 5.0
"""In the account's own currency: a night of alarms costs more."""
_ACCOUNT, _BALANCE, _CREDENTIALS, _PAGE = "account", "balance", "credentials", "account page"


async def look_at(account: TwilioAccount) -> Health:
    """At most `look_timeout_s`."""
    of_account, of_balance = await asyncio.gather(
        account.account(look_timeout_s), account.account(look_timeout_s, "Balance")
    )
    if isinstance(of_account, Trouble):
        return Health((_trouble(of_account),))
    findings = [Finding(_CREDENTIALS, HealthWord.FINE), _status(text_of(of_account, "status"))]
    if isinstance(of_balance, Trouble):
        return Health((*findings, Finding(_BALANCE, HealthWord.UNKNOWN, "Twilio does not tell this key the balance.")))
    return Health((*findings, _left(of_balance)), f"{text_of(of_balance, 'balance')} {text_of(of_balance, 'currency')}")


def _trouble(trouble: Rejected | Busy | Unknown) -> Finding:
    if isinstance(trouble, Rejected) and trouble.reason == "credentials":
        remedy = "Twilio refuses the account SID or token: set GENGFU_TWILIO__ACCOUNT_SID and __AUTH_TOKEN."
        return Finding(_CREDENTIALS, HealthWord.FAULT, remedy)
    if isinstance(trouble, Rejected) and trouble.reason in ("account_inactive", "account_suspended"):
        return _status("suspended")
    if isinstance(trouble, Rejected):  # a restricted API key, or a stand-in that has no such page: it answers, though
        return Finding(_PAGE, HealthWord.UNKNOWN, f"Twilio does not show this key the account ({trouble.code}).")
    what = trouble.cause if isinstance(trouble, Unknown) else "busy"
    return Finding(_CREDENTIALS, HealthWord.UNKNOWN, f"Twilio cannot be asked now ({what}); try again.")


def _status(status: str) -> Finding:
    if status == "active":
        return Finding(_ACCOUNT, HealthWord.FINE)
    if not status:
        return Finding(_ACCOUNT, HealthWord.UNKNOWN, "The answer does not say whether the Twilio account is active.")
    return Finding(
        _ACCOUNT, HealthWord.FAULT, f"The Twilio account is {status[:20]}: nothing is sent; see its console."
    )


def _left(balance: Resource) -> Finding:
    try:
        left = float(text_of(balance, "balance"))
    except ValueError:
        return Finding(_BALANCE, HealthWord.UNKNOWN, "Twilio's balance cannot be read.")
    if left >= balance_low:
        return Finding(_BALANCE, HealthWord.FINE)
    return Finding(_BALANCE, HealthWord.FAULT, "The Twilio balance is nearly used up: top it up, or calls stop.")
