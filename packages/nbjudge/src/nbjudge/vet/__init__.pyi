from .page import write_page as write_page
from .report import VetReport as VetReport, only_changed as only_changed
from .slices import cells_for as cells_for
from .terminal import vet_tables as vet_tables
from .vetting import vet as vet
