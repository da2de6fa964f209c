"""Documents that tests speak of."""

LEAVE = """# Leave

Every employee has thirty days of paid leave a year. Leave is requested in the portal two weeks ahead.

# Travel

Train journeys under four hours are booked in second class. Flights need the approval of a director.

# Equipment

Laptops are replaced after four years. A broken laptop is reported to the service desk."""

LEAVE_CHANGED = LEAVE.replace("thirty days", "thirty-one days")
GARDEN = "# Garden\n\nTomatoes want sun and a stake. Water them in the morning, never on the leaves."
