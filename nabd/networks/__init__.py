"""LoRaWAN networks that know devices already: their lists, asked for over HTTP, as rows of an import.

Here live the questions to ChirpStack and The Things Stack and what their answers mean. Must not know
commands, nor the database.
"""
