"""The ground of the kill -9 tests: a broker, a provider and a generator outside the killed process, and a judge."""
