# ruff: noqa: RUF001 - The apostrophes of prose are meant.
"""What is on: forty events over the coming months. Every artist, play and team is invented."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Show:
    """An event to be.

    `days` from now it begins, at `hour` in the venue's time zone. `price` scales the house's usual prices, `sold` is
    the share of places already sold. `part` names the role it plays: sale, soon, sold_out, cancelled, presale, closed,
    upcoming or paused; the others are simply on sale.
    """

    slug: str
    name: str
    subtitle: str
    category: str
    house: str
    promoter: str
    days: int
    hour: float
    minutes: int
    price: float
    sold: float
    text: str
    part: str = ""


PROGRAMME = (
    Show(
        "aurora-skies-the-long-daylight-tour", "Aurora Skies", "The Long Daylight Tour", "music",
        "nordlicht-stadion", "nordwind", 73, 19.5, 165, 1.0, 0.41,
        "Eleven albums, four of them number one in nine countries, and a light show that can be seen from the "
        "other side of "
        "the Elbe. Aurora Skies play their only concert in northern Germany: two and a half hours, the whole of "
        "“Long Daylight”, and everything you would shout for.",
        "sale",
    ),
    Show(
        "hanse-derby-cup-final", "Hanse Derby: the Cup Final in Song",
        "Three choirs, two brass bands, one trophy", "sport",
        "nordlicht-stadion", "nordwind", 118, 15, 150, 0.55, 0.12,
        "The friendliest rivalry of the north returns to grass: fan choirs from Hamburg, Bremen and Lübeck "
        "compete on the pitch "
        "before the legends of both clubs play twice thirty minutes. Children under six come in free on a lap.",
    ),
    Show(
        "the-velvet-meridian-stadium", "The Velvet Meridian", "One Night at Nordlicht", "music",
        "nordlicht-stadion", "nordwind", 141, 19, 150, 1.1, 0.0,
        "They said never again after the last tour. Never lasted six years. The Velvet Meridian return with the "
        "original "
        "line-up, a forty-piece orchestra and a stage built around the halfway line.",
        "soon",
    ),
    Show(
        "kite-parade", "Kite Parade", "Presale for the mailing list", "music",
        "harbour-dome", "nordwind", 96, 20, 140, 0.8, 0.08,
        "Danish dream pop that outgrew every room it was booked into. For Copenhagen they bring the kites: two "
        "hundred of them, "
        "lit from within, flown by the crowd.",
        "presale",
    ),
    Show(
        "the-glass-orchard-final-week", "The Glass Orchard", "The last night", "theatre",
        "kingsway-theatre", "kingsway", 12, 19.5, 155, 1.15, 1.0,
        "After six hundred performances Miriam Hale’s family drama closes where it opened. Nobody leaves the "
        "orchard with clean "
        "hands, and nobody has ever left this theatre early.",
        "sold_out",
    ),
    Show(
        "low-tide-orchestra", "Low Tide Orchestra", "Songs from the sea wall", "music",
        "sala-cobre", "cobre", 9, 21.5, 120, 1.0, 1.0,
        "Nine players, one double bass made from a boat. The Low Tide Orchestra return to the room where they "
        "recorded their "
        "first live album, half of whose audience is audible on it.",
        "sold_out",
    ),
    Show(
        "rooftop-cinema-orchestra", "Rooftop Cinema Live", "The silent “Metropole” with full orchestra", "family",
        "harbour-dome", "nordwind", 31, 19, 140, 0.6, 0.0,
        "A restored print, sixty musicians and a screen as wide as a football pitch. Called off because the "
        "hall’s roof is being "
        "repaired; every ticket has been refunded.",
        "cancelled",
    ),
    Show(
        "matinee-for-two-pianos", "Matinee for Two Pianos", "Ana Brandão and Felix Lund", "music",
        "teatro-do-rio", "cobre", 4, 16, 95, 0.8, 0.72,
        "Two grand pianos nose to nose, four hands, no interval: Schubert, Ravel and an arrangement of a fado "
        "that the programme "
        "does not name. Remaining tickets at the door from three o’clock.",
        "closed",
    ),
    Show(
        "winter-lights-gala", "Winter Lights Gala", "Dance from seven houses", "theatre",
        "kingsway-theatre", "kingsway", 167, 19, 150, 1.3, 0.0,
        "Principal dancers of seven European houses, one evening, nothing longer than twelve minutes. General "
        "sale opens later "
        "this season.",
        "upcoming",
    ),
    Show(
        "the-understudies", "The Understudies", "Improvised, and rather well", "comedy",
        "ferry-street-hall", "ferry-street", 23, 20, 100, 0.9, 0.33,
        "Six performers who between them have almost been in everything. You give them a title; they give you "
        "the play that "
        "should have had it. Sale paused while we add a second night.",
        "paused",
    ),
    Show(
        "marisol-vega-quartet", "Marisol Vega Quartet", "Album release", "music",
        "sala-cobre", "cobre", 16, 22, 100, 0.95, 0.46,
        "The trumpet player everybody else’s album was waiting for finally makes her own. First set the record, "
        "second set whatever "
        "the room asks for.",
    ),
    Show(
        "paper-lanterns", "Paper Lanterns", "with Small Hours", "music",
        "sala-cobre", "cobre", 27, 22, 110, 0.8, 0.2,
        "Two guitars tuned to the same wrong note and a drummer who used to be a watchmaker. Small Hours open, "
        "and are worth "
        "coming early for.",
    ),
    Show(
        "nightshift-002", "Nightshift 002", "Ilse Moor · DJ Cassava · Rune", "music",
        "sala-cobre", "cobre", 34, 23.5, 330, 1.1, 0.55,
        "From half past eleven until the trams run again. No phones on the floor, water is free, and the copper "
        "door stays shut "
        "for nobody who is kind.",
    ),
    Show(
        "the-salt-letters", "The Salt Letters", "Acoustic", "music",
        "sala-cobre", "cobre", 48, 21, 90, 1.0, 0.15,
        "Songs made from letters found in a lighthouse, sung by the woman who found them. Seats are given at the "
        "door to whoever "
        "needs one.",
    ),
    Show(
        "bom-dia-comedy", "Bom Dia, Comedy", "English-language stand-up", "comedy",
        "sala-cobre", "cobre", 20, 21, 105, 0.7, 0.38,
        "Five comedians, four passports. A night about moving somewhere for the weather and staying for the "
        "paperwork.",
    ),
    Show(
        "fado-depois-da-meia-noite", "Fado After Midnight", "Helena Sarmento and guests", "music",
        "teatro-do-rio", "cobre", 41, 21.5, 110, 1.05, 0.51,
        "The lights go down, the doors are closed, and nobody serves anything. Helena Sarmento sings the "
        "repertoire of three "
        "generations of one street.",
    ),
    Show(
        "the-lighthouse-keepers-wife", "The Lighthouse Keeper’s Wife", "A new opera in one act", "theatre",
        "teatro-do-rio", "cobre", 62, 20, 85, 1.2, 0.24,
        "Sung in Portuguese with English surtitles. A storm, a lamp that must not go out, and a woman who has "
        "kept it lit for eleven "
        "years under her husband’s name.",
    ),
    Show(
        "o-barco-de-papel", "The Paper Boat", "For everybody over four", "family",
        "teatro-do-rio", "cobre", 29, 11, 60, 0.5, 0.44,
        "A boat folded from yesterday’s newspaper sails down the gutter, under the city and out to sea. Puppets, "
        "shadow and real "
        "water; the first two rows may get a little wet.",
    ),
    Show(
        "quinteto-atlantico", "Quinteto Atlântico", "Piazzolla at a hundred and five", "music",
        "teatro-do-rio", "cobre", 88, 21, 100, 0.9, 0.1,
        "Five players from four shores of the same ocean take the master’s late works apart and put them "
        "together at sea level.",
    ),
    Show(
        "a-chorus-of-crows", "A Chorus of Crows", "The musical", "theatre",
        "kingsway-theatre", "kingsway", 6, 19.5, 160, 1.0, 0.83,
        "A village choir, a murder, a key change. The sharpest new musical in years keeps its secret until the "
        "last four bars: "
        "please keep it for those who come after you.",
    ),
    Show(
        "a-chorus-of-crows-matinee", "A Chorus of Crows", "Saturday matinee", "theatre",
        "kingsway-theatre", "kingsway", 7, 14.5, 160, 0.85, 0.57,
        "The same village, the same murder, daylight outside afterwards. Relaxed in the stalls: come and go as "
        "you need.",
    ),
    Show(
        "hamlet-in-two-voices", "Hamlet, in Two Voices", "Adapted by Idris Cole", "theatre",
        "kingsway-theatre", "kingsway", 21, 19.5, 125, 0.9, 0.36,
        "Two actors, one ghost light, every word that matters. Idris Cole’s adaptation asks who is left to tell "
        "the story when "
        "the stage is full of the dead.",
    ),
    Show(
        "rosalind-park-stands-up", "Rosalind Park", "Mildly Inconvenienced", "comedy",
        "kingsway-theatre", "kingsway", 28, 20, 110, 0.7, 0.64,
        "The queen of the raised eyebrow on self-checkouts, second weddings and the tyranny of the group chat. "
        "Some strong language, "
        "beautifully enunciated.",
    ),
    Show(
        "the-clockmakers-daughter", "The Clockmaker’s Daughter", "A ballet in two acts", "theatre",
        "kingsway-theatre", "kingsway", 37, 19, 135, 1.2, 0.42,
        "A mechanical city, a girl who can hear it think. New choreography by Noor Haddad to a live score for "
        "strings and "
        "ninety-one clocks.",
    ),
    Show(
        "museum-of-small-noises", "The Museum of Small Noises", "A family concert", "family",
        "kingsway-theatre", "kingsway", 44, 11, 70, 0.45, 0.29,
        "What does a snowflake sound like to an ant? An orchestra finds out, with help from eight hundred paper "
        "bags that are "
        "handed out at the door.",
    ),
    Show(
        "the-ambassadors-dinner", "The Ambassador’s Dinner", "A farce", "theatre",
        "kingsway-theatre", "kingsway", 58, 19.5, 130, 0.95, 0.2,
        "Seven doors, one soup tureen and a peace treaty. The fastest two hours in the West End, with an "
        "interval so that the "
        "actors can breathe.",
    ),
    Show(
        "northern-brass-at-kingsway", "Northern Brass", "Anthems and lullabies", "music",
        "kingsway-theatre", "kingsway", 79, 19.5, 120, 0.8, 0.14,
        "Twenty-eight players from one colliery town. Anthems loud enough for the upper circle, and lullabies "
        "quiet enough to "
        "hear it sigh.",
    ),
    Show(
        "an-evening-with-professor-quill", "An Evening with Professor Quill", "Science, on fire", "family",
        "kingsway-theatre", "kingsway", 93, 18, 95, 0.6, 0.09,
        "Explosions supervised by an adult. Professor Quill and her long-suffering assistant prove that "
        "everything is interesting "
        "if you heat it.",
    ),
    Show(
        "the-tempest-on-tour", "The Tempest", "Blackwater Players on tour", "theatre",
        "kingsway-theatre", "kingsway", 126, 19.5, 150, 1.0, 0.05,
        "An island of scaffolding and sailcloth, music by the whole company, and a Prospero who has waited forty "
        "years for "
        "the part.",
    ),
    Show(
        "iron-harbour-boxing-night", "Iron Harbour Fight Night", "Eight bouts, two titles", "sport",
        "harbour-dome", "nordwind", 19, 18.5, 240, 0.9, 0.47,
        "The Nordic light-heavyweight title on the line, six undercard bouts and the debut of Olympic finalist "
        "Sanne Holm. Doors "
        "open early; the first bell rings at half past six.",
    ),
    Show(
        "copenhagen-hoops-classic", "Copenhagen Hoops Classic", "Harbour Herons v Aarhus Anchors", "sport",
        "harbour-dome", "nordwind", 26, 17, 120, 0.5, 0.31,
        "Top of the table against the team that beat them twice. Family seats in the far end, the loudest drum "
        "in the league in "
        "the near one.",
    ),
    Show(
        "sunken-cathedral", "Sunken Cathedral", "Deep Water World Tour", "music",
        "harbour-dome", "nordwind", 52, 19.5, 150, 1.1, 0.58,
        "Heavier than the sea and about as fast. Sunken Cathedral bring the organ, the choir and earplugs for "
        "everybody at the "
        "door.",
    ),
    Show(
        "disco-for-grown-ups", "Disco for Grown-Ups", "Home by midnight", "music",
        "harbour-dome", "nordwind", 66, 18, 300, 0.45, 0.22,
        "All the floor-fillers, none of the queues, and a cloakroom that works. Starts at six because tomorrow "
        "is a school day.",
    ),
    Show(
        "ice-and-embers", "Ice & Embers", "A show on skates", "family",
        "harbour-dome", "nordwind", 104, 15, 120, 0.7, 0.11,
        "A fire spirit falls in love with a frozen lake. Forty skaters, real flames and one very patient "
        "reindeer made of "
        "bicycles.",
    ),
    Show(
        "delta-blue", "Delta Blue", "Brooklyn release show", "music",
        "ferry-street-hall", "ferry-street", 11, 20, 150, 1.0, 0.61,
        "A slide guitar, a sampler and a river recorded at four in the morning. Delta Blue play the new record "
        "front to back, then "
        "the old ones by request.",
    ),
    Show(
        "ghost-subway", "Ghost Subway", "with Tall Mirror", "music",
        "ferry-street-hall", "ferry-street", 18, 20.5, 160, 1.1, 0.49,
        "Post-punk for stations that closed before you were born. All ages, strobe lights in the second half.",
    ),
    Show(
        "open-mic-championship", "The Open Mic Championship", "Sixteen start, one finishes", "comedy",
        "ferry-street-hall", "ferry-street", 33, 19, 180, 0.6, 0.17,
        "Three minutes each, no mercy, judged by applause and a retired referee. The winner opens for somebody "
        "you have heard of.",
    ),
    Show(
        "bodega-philharmonic", "Bodega Philharmonic", "Beethoven, extra napkins", "music",
        "ferry-street-hall", "ferry-street", 55, 20, 110, 0.9, 0.27,
        "Conservatory players, block-party rules: stand where you like, clap when you want. The Seventh, and a "
        "new concerto for "
        "delivery bicycle.",
    ),
    Show(
        "double-dutch-invitational", "Double Dutch Invitational", "City finals", "sport",
        "ferry-street-hall", "ferry-street", 70, 16, 180, 0.5, 0.13,
        "Five boroughs, twenty crews, two ropes. The fastest feet in the city and the best DJ in it.",
    ),
    Show(
        "the-long-goodnight", "The Long Goodnight", "A festival of quiet music", "music",
        "nordlicht-stadion", "nordwind", 201, 17, 330, 0.7, 0.0,
        "An entire stadium, sitting down. Six artists who never raise their voices, from late afternoon until "
        "the floodlights go "
        "out one by one.",
        "upcoming",
    ),
)  # fmt: skip

USUAL_PRICES = {
    "Front standing": 14900,
    "General standing": 8900,
    "Premium": 18900,
    "Category 1": 12900,
    "Category 2": 9900,
    "Category 3": 7900,
    "Category 4": 5900,
    "Restricted view": 3900,
    "Premium stalls": 9500,
    "Stalls": 7200,
    "Rear stalls": 5400,
    "Dress circle": 6200,
    "Upper circle": 3400,
    "Boxes": 8200,
    "Floor": 2800,
    "Gallery": 3400,
}
"""What a place of each category costs at `price` 1, in minor units."""
