"""How a phone is set up so that our calls ring at night: the steps of one brand in their order. Holds no sentence."""

from alerting.core.languages.surfaces import Guides


def steps_of(guides: Guides, brand: str) -> tuple[str, ...]:
    """Save the card, let repeated calls ring, white list, messages, battery, try it."""
    own = guides.brands[brand]
    return (guides.save, own.repeat, own.unblock, guides.notify, own.awake, guides.try_out)
