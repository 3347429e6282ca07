"""Amazon SNS on a local port, as far as texts straight to a number go: Publish, its refusals, the SMS settings.

async with SnsEmulator(clock=clock, access_key_id=..., secret_access_key=..., time_scale=0) as emulator:
    boto3.client("sns", endpoint_url=emulator.base_url, ...)
"""

from simulators.sns.emulator import SnsEmulator

__all__ = ["SnsEmulator"]
