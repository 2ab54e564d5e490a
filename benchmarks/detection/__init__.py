"""How many planted mistakes are found, by awaitest and by its peers, in suites that nobody tuned for."""
