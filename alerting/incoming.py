"""What comes back from people and providers: callbacks, receipts asked for, keys, texts and taps. Wires only."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from alerting.answer_links import AnswerLinks
from alerting.answers import ActOn, Answers
from alerting.carriers import Carriers
from alerting.channels.base import Receipt
from alerting.households import Households
from alerting.inbox import Inbox
from alerting.link_answers import LinkAnswers
from alerting.polling import Polling
from alerting.ports import Clock, Database, Ids
from alerting.probes import Probes
from alerting.recorder import Recorder
from alerting.repeating import Repeats
from alerting.spool import Spool
from alerting.store import timeline
from alerting.store.attempts import Claimed


class Incoming:
    """`act`: the service's; `wake`: within a transaction, the other processes; `wake_at`: this one, after it."""

    def __init__(
        self,
        *,
        database: Database,
        providers: Carriers,
        clock: Clock,
        ids: Ids,
        recorder: Recorder,
        probes: Probes,
        households: Households,
        act: ActOn,
        wake: Callable[[Connection, str], None],
        wake_at: Callable[[datetime], None],
        on_entries: Callable[[Sequence[tuple[int, timeline.Entry]]], None],
        on_failed: Callable[[str], None],
        links: AnswerLinks,
        spool: Spool | None,
        on_receipts: Callable[[Sequence[tuple[Receipt, Claimed]]], None] = lambda receipts: None,
        on_arrival: Callable[[str], None] = lambda attempt_id: None,
    ) -> None:
        repeats = Repeats(database=database, clock=clock, ids=ids, wake=wake, wake_at=wake_at)
        self.answers = Answers(
            database=database,
            recorder=recorder,
            clock=clock,
            act=act,
            pressed_elsewhere=probes.pressed,
            household_pressed=households.pressed,
            household_replied=households.replied,
            again=repeats.again,
            listens=providers.lines.answered,
        )
        self.by_link = LinkAnswers(database=database, clock=clock, links=links, answers=self.answers, repeats=repeats)
        self.inbox = Inbox(
            database=database,
            providers=providers,
            clock=clock,
            ids=ids,
            wake=wake,
            on_entries=on_entries,
            on_key=self.answers.on_key,
            on_reply=self.answers.on_reply,
            on_failed=on_failed,
            wake_at=wake_at,
            spool=spool,
            on_receipts=on_receipts,
            on_arrival=on_arrival,
        )
        self.polling = Polling(database, providers, clock, self.inbox.take)
        self.repeats = repeats
