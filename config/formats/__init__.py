"""How this site writes dates where Django formats them: a day and a 24-hour clock."""
