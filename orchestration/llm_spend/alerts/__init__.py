"""Delivery of the incidents of `marts.alerts`, once each."""
