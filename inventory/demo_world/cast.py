"""Who and where: the organizers, venues and people of the demo world. Everything here is invented."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promoter:
    """An organizer to be, with its manager's user name and the service fee it takes."""

    slug: str
    name: str
    about: str
    currency: str
    fee_basis_points: int
    fee_fixed: int
    manager: str
    manager_name: tuple[str, str]


@dataclass(frozen=True, slots=True)
class House:
    """A venue to be; `hall` names the generator and `places` the size of its plan."""

    slug: str
    name: str
    address: str
    city: str
    country: str
    timezone: str
    latitude: str
    longitude: str
    hall: str
    places: int
    plan_name: str
    getting_there: str


PROMOTERS = (
    Promoter(
        "nordwind",
        "Nordwind Konzerte",
        "Nordwind Konzerte brings big tours to the north: stadium nights, harbour festivals and the quieter "
        "evenings in "
        "between. Twenty-two people, one office above a bakery, and a phone that is answered.",
        "EUR",
        500,
        90,
        "nordwind",
        ("Jule", "Petersen"),
    ),
    Promoter(
        "kingsway",
        "Kingsway Productions",
        "Plays, musicals and comedy in the West End since 1987. We own the theatre, so there is nobody between "
        "you and the "
        "box office.",
        "GBP",
        400,
        120,
        "kingsway",
        ("Amara", "Whitfield"),
    ),
    Promoter(
        "cobre",
        "Sala Cobre",
        "A room for three hundred people, a good sound system and a rule: the headliner is never the only reason "
        "to come.",
        "EUR",
        0,
        150,
        "cobre",
        ("Tiago", "Valadares"),
    ),
    Promoter(
        "ferry-street",
        "Ferry Street Presents",
        "Independent promoters on the Brooklyn waterfront. All ages wherever the law lets us, and fees in plain sight.",
        "USD",
        800,
        100,
        "ferrystreet",
        ("Dana", "Okafor"),
    ),
)

HOUSES = (
    House(
        "nordlicht-stadion", "Nordlicht Stadion", "Am Volkspark 40", "Hamburg", "DE", "Europe/Berlin",
        "53.58710", "9.89860", "stadium", 60_000, "Concert, stage north",
        "S3 and S21 to Stellingen, then ten minutes on foot or the shuttle bus from Gate C. There is no parking "
        "for cars "
        "on event days; bicycles stand guarded at Gate F.",
    ),
    House(
        "harbour-dome", "Harbour Dome", "Refshalevej 151", "Copenhagen", "DK", "Europe/Copenhagen",
        "55.69330", "12.61970", "stadium", 12_000, "Arena, end stage",
        "Harbour bus 992 stops at the door. Metro to Kongens Nytorv, then bus 2A towards Refshaleøen.",
    ),
    House(
        "kingsway-theatre", "Kingsway Theatre", "18 Kingsway", "London", "GB", "Europe/London",
        "51.51620", "-0.11960", "theatre", 2_000, "Full house",
        "Two minutes from Holborn station. Step-free entrance on Wild Court; ring the bell and somebody comes.",
    ),
    House(
        "teatro-do-rio", "Teatro do Rio", "Rua da Alfândega 10", "Lisbon", "PT", "Europe/Lisbon",
        "38.70810", "-9.13520", "theatre", 800, "House with boxes",
        "Terreiro do Paço on the blue line, or tram 15 to Praça do Comércio.",
    ),
    House(
        "sala-cobre", "Sala Cobre", "Travessa do Carvalho 23", "Lisbon", "PT", "Europe/Lisbon",
        "38.70650", "-9.14490", "club", 300, "Standing",
        "Cais do Sodré, then four minutes uphill. The door is the copper one.",
    ),
    House(
        "ferry-street-hall", "Ferry Street Hall", "71 Ferry Street", "New York", "US", "America/New_York",
        "40.70330", "-73.99410", "club", 900, "Floor and gallery",
        "F train to York Street, or the ferry to Fulton. Coat check is free before nine.",
    ),
)  # fmt: skip

PLAYERS_FIRST = [
    "Anna",
    "Mateus",
    "Sofia",
    "Jonas",
    "Priya",
    "Marek",
    "Chloe",
    "Henrik",
    "Leila",
    "Oscar",
    "Inês",
    "Tomasz",
    "Grace",
    "Rui",
    "Freja",
    "Malik",
    "Nora",
    "Pedro",
    "Yuki",
    "Elena",
    "Callum",
    "Amina",
    "Lars",
    "Beatriz",
    "Theo",
    "Ingrid",
    "Samuel",
    "Zofia",
    "Luca",
    "Hannah",
    "Diego",
    "Maja",
    "Patrick",
    "Rosa",
    "Emil",
    "Katarzyna",
    "Finn",
    "Aylin",
    "Gabriel",
    "Saga",
]
PLAYERS_LAST = [
    "Lindqvist",
    "Moreira",
    "Okonkwo",
    "Brandt",
    "Novak",
    "Hughes",
    "Sørensen",
    "Carvalho",
    "Weber",
    "Kaya",
    "Larsen",
    "Fonseca",
    "Doyle",
    "Petrov",
    "Schuster",
    "Mensah",
    "Alves",
    "Berg",
    "Costa",
    "Fischer",
    "Kowalski",
    "Murphy",
    "Nilsson",
    "Pinto",
    "Richter",
    "Silva",
    "Tanaka",
    "Vogel",
    "Walsh",
    "Zimmermann",
    "Adeyemi",
    "Bauer",
    "Dias",
    "Eriksen",
    "Fraser",
    "Goncalves",
    "Haas",
    "Iversen",
    "Jansen",
    "Klein",
]
