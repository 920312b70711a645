"""What bridge, codecs and HTTP share: readings of foreign devices, published as a registered gateway of ours.

Nothing else than ingest writes readings: here they become messages, and what became of them is told by
receipts, after the commit. Must not know where readings come from, profiles, or the registry.
"""

from devices.relay.outstanding import Outcome
from devices.relay.relay import Relay, RelayState

__all__ = ["Outcome", "Relay", "RelayState"]
