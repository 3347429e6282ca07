"""Cities for demonstrations and benchmarks: shipped ones by name, made-up ones of any size. Stores nothing."""

from simulators.city_file import City, CityError, Grid, load_city, read_city
from simulators.city_generator import generate_city

__all__ = ["City", "CityError", "Grid", "generate_city", "load_city", "read_city"]
