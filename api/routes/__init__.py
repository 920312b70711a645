"""The routes, one file per noun. Handlers translate between HTTP and the layers below; they do not decide."""

from api.http.numbers import register

register()  # before any path is declared with a number in it
