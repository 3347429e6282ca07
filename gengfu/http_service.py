"""The service as HTTP uses it: each of its acts by one name. Decides nothing."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gengfu.application import Application


class ServiceForHttp:
    """The service as HTTP uses it, with the readiness of the whole process."""

    def __init__(self, application: "Application") -> None:
        service = application.service
        self._application = application
        self.act = service.act
        self.raise_incident = service.raising.raise_incident
        self.received = service.received
        self.take_callbacks = service.inbox.take_words
        self.key_pressed = service.answers.key_pressed
        self.result_told = service.households.known
        self.rate_result = service.households.rated
        self.link_shown = service.incoming.by_link.shown
        self.link_answered = service.incoming.by_link.answered
        self.ready = application.ready
        self.tell_senders = service.tell_senders
        self.wake = service.wake
        self.drills = service.drills
        self.commands = service.commands

    def registry_changed(self) -> None:
        self._application.registry_changed()
