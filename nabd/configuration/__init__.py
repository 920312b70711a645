"""Where settings come from: environment, files of secrets, one configuration file; and who said what.

sources: the places in their order. origin: which of them said a value. Knows no setting by name.
"""
