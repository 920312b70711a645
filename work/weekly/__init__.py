"""The report of one week of work in a municipality, for people who print it.

`reading` fetches what it says, `wording` writes numbers and dates, `page` lays it out, `bars` draws, `paper`
makes a PDF of it. Must not know who asks for it, nor how it is sent.
"""
