"""The routes, one file per noun. Handlers translate between HTTP and the layers below; they do not decide."""

from api.http.parameters import register_numbers

register_numbers()  # before any path is declared with a number in it
