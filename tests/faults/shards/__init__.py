"""Two ingests that own different municipalities: killed, and divided anew while all talk."""
