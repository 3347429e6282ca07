"""How long a TwiML sound lasts. Never reads a wall clock."""

from simulators.emulating.running import Pace
from simulators.twilio.twiml import Pause, Play, Sound

recording_seconds = 5.0  # nobody decodes the file; a Play is taken to last this long


class SoundPace(Pace):
    """The story's pace, for sounds too."""

    def duration(self, sound: Sound) -> float:
        """How long a sound lasts, in seconds of the story."""
        if isinstance(sound, Pause):
            return sound.seconds
        if isinstance(sound, Play):
            return recording_seconds if self.speech_seconds_per_char > 0 else 0.0
        return self.speech_s(sound.text)
