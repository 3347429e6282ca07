"""What a language must bring: every sentence, the words of the registered templates, and how its script is spoken and
counted. Data shapes only: no sentence stands here, and no field has a default, so that nothing can be left out.
Messages stand here; cards, pages, chats and the like in `surfaces`.

A `Piece` is printed when all its slots have something to say. Pieces with a `drop` rank are left out, lowest first,
when an SMS is too long. Order: what, where, sensed by, time, act, reference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alerting.core.languages.surfaces import Cards, Chat, Contact, Guides, RatingPage, Watching, WorkerPage
from alerting.core.model import PlaceText
from alerting.core.parts import Alphabet
from devices.taxonomy import SignalClass


@dataclass(frozen=True, slots=True)
class Piece:
    template: str
    """`str.format` slots: head, place, sensor, time, minutes or waited, direct, act, advice, reference, unrecorded,
    who, hazard, household, power, live, mark, guidance, link."""
    drop: int = 0
    """0 stays; 1 is the first to go."""


@dataclass(frozen=True, slots=True)
class Script:
    """How one script is counted, cut and spoken. Languages of one script share it: `HAN`, `LATIN`."""

    alphabet: Alphabet
    """Of an SMS in it."""
    plain: Callable[[str], str]
    """A registry's text as an SMS can carry it."""
    name: Callable[[PlaceText], str]
    """Which of a place's two names."""
    spoken: Callable[[PlaceText], str]
    seconds: Callable[[str], float]
    """How long a telephone voice takes."""
    within: Callable[[str, float], str]
    """A spoken place made to end in time."""
    digits: Callable[[str], str]
    """Digit by digit, the way people say them."""
    number: Callable[[int], str]
    """A count before a word for what is counted."""
    parted: Callable[[str], tuple[str, str]]
    """A place after its first level."""
    within_building: Callable[[str], str]
    """What is left of a place when the building's name in front is gone."""
    sentence: Callable[[str], str]
    """A headline as a sentence: capitals are for the eye, a voice spells some of them."""
    aside_spoken: Callable[[str], str]
    """A remark about a second place, as a voice says it."""
    run_on: Callable[[str], str]
    """A spoken place without its pauses."""
    words_end: str
    """Where a place may be cut: at these spaces only; empty for anywhere."""
    latin_names: bool
    """People's names as well in Latin letters."""
    glue: str
    """Between two spoken sentences."""


@dataclass(frozen=True, slots=True)
class Acts:
    """What a text may ask for, by what its channel can take."""

    reply: str
    call: str
    app: str
    link: str
    """The page to answer on, where a text may name one."""
    go: Mapping[SignalClass, str]
    """No way to answer at all."""
    find: str
    """The same, where nobody knows the place."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Spoken sentences. Digits are words here: a voice reads `119` as a number."""

    mark: str
    head: str
    place: str
    place_in_full: str
    """After a place that had to be cut to be heard in time."""
    sensor: str
    minutes: str
    direct: str
    household: str
    power: str
    live: str
    command: str
    update: str
    all_clear: str
    unrecorded: str
    guidance: str
    """After key 1."""
    keys: str
    keys_told: str
    """Where nobody is asked to go."""
    recorded: str
    """After key 1; `{guidance}` is the hazard's own line, or empty."""
    recorded_fire: str
    recorded_drill: str
    recorded_told: str
    declined: str
    declined_told: str
    missed: str
    missed_told: str
    wait: str
    standing: str
    """Of a call whose own words cannot be had just now."""


@dataclass(frozen=True, slots=True)
class Words:
    fire: str
    """Headline of every fire; other hazards carry their own label."""
    fire_within: str
    """The same inside a sentence."""
    loud: bool
    """Headlines of severity 1 in capitals."""
    confirmed: str
    spreading: str
    confirmed_spreading: str
    first_out: str
    """Where it began; `spread_to`: where it is now as well."""
    spread_to: str
    still_charging: str
    drill: str
    test: str
    maybe_test: str
    """The device set its test bit outside test mode: it may be real, so nobody may read this as "ignore it"."""
    late: str
    mark_end: str
    unrecorded: str
    somebody: str
    place_units_kept: int
    """Building, unit, floor and room need so much: other words go before a place is shorter."""
    who_units_max: int
    """Of the name of the person who goes."""
    first_units_max: int
    """Of a second place's first level (12层, F12), then of the rest."""
    rest_units_max: int
    advice: str
    advice_app: str
    direct: str
    """In vain for steps on end: whoever reads this dials himself. Never given up for room."""
    direct_act: str
    """The same with the act and without the minutes, where the place needs their room."""
    household_confirms: tuple[str, str]
    """What the household said, where it can burn and elsewhere."""
    household_denies: tuple[str, str]
    power_cut: str
    """A device has cut the power. Said where there is room."""
    power_live: str
    """It was to, and did not: somebody cuts it by hand."""
    app_ask: str
    """What the two buttons of the app answer."""
    acts: Acts
    page: tuple[Piece, ...]
    update: tuple[Piece, ...]
    all_clear: tuple[Piece, ...]
    command: tuple[Piece, ...]
    """The power was not cut."""
    app_title: tuple[Piece, ...]
    app_page: tuple[Piece, ...]
    app_update: tuple[Piece, ...]
    app_all_clear: tuple[Piece, ...]
    app_command: tuple[Piece, ...]
    ellipsis: str
    unplaced: tuple[str, str]
    """Before and after the device's id, where nobody knows the place."""
    unplaced_spoken: str
    """`{ending}`: the id's last characters, one by one."""
    unplaced_silent: str
    unspeakable: str
    """A place whose name no voice can say."""
    speech: Speech


@dataclass(frozen=True, slots=True)
class Household:
    """`advice` and `keys` by kind of danger: fire, gas, anything else."""

    say: str
    advice: tuple[str, str, str]
    keys: tuple[str, str, str]
    recorded: str
    declined: str
    missed: str
    wait: str
    standing: str
    told: tuple[Piece, ...]
    asked_by_reply: tuple[Piece, ...]
    asked_by_link: tuple[Piece, ...]
    """A link leaves little room in Chinese: the place gives way."""
    said: Mapping[str, tuple[str, str]]
    """Result -> what it was: where it can burn, elsewhere."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Summaries and the daily digest. Kinds of four: detectors, devices in alarm, matters, devices in trouble."""

    sms: tuple[Piece, ...]
    title: tuple[Piece, ...]
    body: tuple[Piece, ...]
    said: str
    said_total: str
    said_latest: str
    devices: tuple[str, str, str, str]
    device: tuple[str, str, str, str]
    """The same of one alone."""
    fresh: str
    fresh_one: str
    kind: str
    """`{label}` and `{count}`."""
    more: str
    head_check: str
    head_trouble: str
    separator: str
    digest: tuple[Piece, ...]
    digest_title: str
    digest_rest: str
    digest_line: str
    everywhere: str
    hours_ago: str
    days_ago: str
    grid: str
    """A grid without a name in this script."""


@dataclass(frozen=True, slots=True)
class DrillEnd:
    """How one end of a drill is said."""

    sms: tuple[Piece, ...]
    title: str
    body: str
    say: str


@dataclass(frozen=True, slots=True)
class Probing:
    """Codes and test calls for a contact, and why a device's test failed (by the names of `walk_test.Lack`)."""

    code_sms: str
    say: str
    keys: str
    recorded: str
    declined: str
    missed: str
    wait: str
    push_title: str
    push_body: str
    self_test_title: str
    """The daily message that must be tapped."""
    self_test_body: str
    self_test_ask: str
    """On the page that its link opens, above the button."""
    self_test_button: str
    self_test_tapped: str
    lacks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Carrier:
    """Values of the variables of registered templates. Their fixed words are `Pack.templates`."""

    join: str
    """Between two statements in one variable."""
    join_spoken: str
    reply: str
    """What follows the template's own "please"."""
    call: str
    app: str
    go: Mapping[SignalClass, str]
    find: str
    direct: str
    """`{number}`, `{minutes}`; the short one where that is too long."""
    direct_short: str
    direct_spoken: str
    live: str
    """Somebody must cut the power by hand, after "please"."""
    live_short: str
    live_spoken: str
    update: str
    """`{who}`."""
    all_clear: str
    command: str
    drill_over: str
    drill_stopped: str
    drilled: str
    """`{hazard}`: a drill's, so that nobody takes its place for that of the real alarm."""
    summary: str
    """`{head}`."""
    summary_text: str
    """`{total}`, `{devices}`, `{fresh}`, `{reference}`."""
    summary_fresh: str
    summary_spoken: str
    digest: str
    digest_text: str
    result: str
    home: str
    """`{place}`: the place that a household registered."""
    result_text: str
    """`{hazard}`, `{result}`."""
    result_said: Mapping[str, tuple[str, str]]
    """As `Household.said`, shorter."""
    result_reply: str
    unplaced: tuple[str, str]
    """As in `Words`, after the template's own word for a place."""
    unplaced_spoken: str
    unplaced_silent: str
    number_sign: str
    """For #, which carriers refuse."""
    household: tuple[str, str, str]
    """`{hazard}`: fire, gas, anything else; heard after "a sensor reports"."""


@dataclass(frozen=True, slots=True)
class Pack:
    """One language, whole."""

    script: Script
    voice: str
    """The tag that a text-to-speech service knows it by."""
    product: str
    """Our name: whom a card, a chat and a page are from."""
    labels: Mapping[str, str]
    """Of every hazard code."""
    guidance: Mapping[str, str]
    """By hazard code or family: what to do on the spot, in one short line. A code goes before its family."""
    words: Words
    household: Household
    summing: Sums
    drill_over: DrillEnd
    drill_stopped: DrillEnd
    probing: Probing
    carrier: Carrier
    cards: Cards
    worker_page: WorkerPage
    rating_page: RatingPage
    chat: Chat
    contact: Contact
    guides: Guides
    watching: Watching
    templates: Mapping[str, str]
    """By name: the text that a carrier registers, with `{name}` for a variable."""
