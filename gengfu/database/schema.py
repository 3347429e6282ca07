"""Every table of the product in one metadata. Importing this is what makes it complete; it defines no table itself."""

import alerting.store.tables
import alerting.store.tables_canary
import alerting.store.tables_commands
import alerting.store.tables_drills
import alerting.store.tables_photos
import alerting.store.tables_readiness
import alerting.store.tables_restraint
import alerting.store.tables_results
import alerting.store.tables_supervision
import alerting.store.tables_testing  # noqa: F401
import api.store.tables  # noqa: F401
import devices.store.tables
import devices.store.tables_audit
import devices.store.tables_bulk
import devices.store.tables_credentials
import devices.store.tables_devices
import devices.store.tables_duty
import devices.store.tables_generation
import devices.store.tables_places
import devices.store.tables_subscriptions  # noqa: F401
from devices.store.types import metadata

__all__ = ["metadata"]

assert {"devices", "incidents", "api_keys"} <= metadata.tables.keys()
