"""Words the company is made of."""


def words(text: str) -> list[str]:
    """A list from words in one text, which reads better than a column of quotes."""
    return text.split()


FIRST = words(
    "Ada Amir Anika Aoife Arjun Beatriz Bela Carlos Chiara Chloe Daan Dagny Dalia Deniz Edda Elif Emre Esther Fatima "
    "Felix Femi Freya Gita Goran Hana Hugo Ines Ivo Jaya Jonas Jun Kaito Kamila Kofi Lars Leila Lin Lucia Maja Malik "
    "Marta Mei Milan Mira Nadia Nils Noor Olga Omar Oskar Paola Priya Quentin Rafael Rina Ruth Samir Sanna Selma Tariq "
    "Tessa Timo Uma Valentin Vera Wanda Xenia Yara Yusuf Zeynep Zoe"
)

LAST = words(
    "Abebe Almeida Andersson Aydin Bauer Becker Bianchi Castillo Chen Costa Dubois Eriksen Fischer Fontaine Garcia "
    "Hansen Hoffmann Ibrahim Ito Jansen Kaya Kim Kowalski Kumar Larsen Lindqvist Lopez Mbeki Meyer Moreau Nakamura "
    "Nguyen Novak Okafor Olsen Patel Petrov Ricci Rossi Santos Sato Schmidt Silva Singh Sokolov Suzuki Tanaka Torres "
    "Varga Weber Yilmaz"
)

DEPARTMENTS = words(
    "platform payments identity data search mobile web logistics billing analytics security growth support research "
    "infrastructure compliance commerce content devices finance"
)

TEAMS = words(
    "core api tooling ingest reports runtime storage edge quality release insights gateway sandbox legacy labs"
)

SERVICES = words(
    "gateway ledger catalog router scheduler notifier exporter importer console indexer resolver broker vault signer "
    "planner crawler renderer mailer uploader archiver monitor throttle relay cache"
)

JOBS = {
    "build": words("compile assets docs-build image package bundle"),
    "test": words("unit integration lint typecheck e2e contract migrations accessibility performance audit"),
    "deploy": words("review staging production smoke"),
}

TOPICS = words("python go rust terraform frontend backend internal")
