"""What an Amazon SNS account needs to be used. Never shows its secret in a repr."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from alerting.channels.providers.sns_signing import Credentials

_codes = (
    "1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 "
    "84 90 91 92 93 94 95 98 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 "
    "236 237 238 239 240 241 242 243 244 245 246 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 "
    "265 266 267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 "
    "377 378 380 381 382 383 385 386 387 389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 "
    "594 595 596 597 598 599 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 "
    "850 852 853 855 856 880 886 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 992 993 994 "
    "995 996 998"
)
CALLING_CODES = frozenset(f"+{code}" for code in _codes.split())
"""ITU-T E.164 country codes but +86: what Amazon sends there comes late, from changing senders, or not at all."""


@dataclass(frozen=True, slots=True)
class SnsSettings:
    """One access key with the right to `sns:Publish`.

    now: the machine's wall clock; requests are refused when it is 15 minutes wrong (Amazon's figure).
    base_url: a local emulator instead of Amazon; None = Amazon in `region`.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    now: Callable[[], datetime] = field(repr=False, compare=False)
    region: str = "ap-southeast-1"
    sender_id: str | None = None
    """3 to 11 letters and digits, a letter first, shown as the sender where a country allows it."""
    base_url: str | None = None
    per_second: float = 20.0
    """Texts that the account may send in a second."""

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.access_key_id, self.secret_access_key, self.region)

    @property
    def address(self) -> str:
        return self.base_url or f"https://sns.{self.region}.amazonaws.com"
