"""Black-box stand-ins for the world outside: devices, fleets, phone providers and a worker with thumbs."""
