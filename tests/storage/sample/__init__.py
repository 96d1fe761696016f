"""A service in small: the tables on which the storage library is tested."""
