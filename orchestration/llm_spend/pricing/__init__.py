"""The price book: rate cards and the rules that tell which model a logged name means."""
