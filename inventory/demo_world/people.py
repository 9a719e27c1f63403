"""The demo world's users: an administrator, a manager for each organizer, one person at every door."""

import json
import secrets
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model

from events.models import Membership, Organizer
from inventory.demo_world.cast import PROMOTERS

_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"


def read_passwords(path: Path) -> dict[str, str]:
    """Return the passwords by user name that an earlier run noted in the demo file; empty if there is none."""
    try:
        noted = json.loads(path.read_text())
        logins = [noted["admin"], noted["door"], *noted["organizers"]]
        return {login["user"]: login["password"] for login in logins}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def make_people(organizers: dict[str, Organizer], passwords: dict[str, str]) -> dict[str, Any]:
    """Make the users that are missing and return their logins, as the demo file holds them.

    Passwords are made by chance, because a known one on a reachable server is a hole; those in `passwords` (by user
    name) are kept. A user whose password nobody noted gets a new one.
    """
    admin = _login("admin", passwords, first_name="Ada", last_name="Admin", is_staff=True, is_superuser=True)
    door = _login("door", passwords, first_name="Dora", last_name="Door")
    managers = []
    for promoter in PROMOTERS:
        first, last = promoter.manager_name
        login = _login(promoter.manager, passwords, first_name=first, last_name=last, is_staff=True)
        managers.append({**login, "name": promoter.name})
        organizer = organizers[promoter.slug]
        _join(organizer, promoter.manager, Membership.Role.MANAGER)
        _join(organizer, "door", Membership.Role.DOOR)
    return {"admin": admin, "organizers": managers, "door": door}


def write_demo_file(path: Path, content: dict[str, Any]) -> None:
    """Write the demo file in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    draft.replace(path)


def _login(name: str, passwords: dict[str, str], **fields: Any) -> dict[str, str]:
    users = get_user_model().objects
    user = users.filter(username=name).first() or users.create_user(name, f"{name}@onsale.example", **fields)
    password = passwords.get(name, "")
    if not password or not user.check_password(password):
        password = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))
        user.set_password(password)
        user.save(update_fields=["password"])
    return {"user": name, "password": password}


def _join(organizer: Organizer, user: str, role: str) -> None:
    member = get_user_model().objects.get(username=user)
    Membership.objects.get_or_create(organizer=organizer, user=member, defaults={"role": role})
