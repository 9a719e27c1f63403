"""The sandbox provider's hosted pages: where a buyer enters a card. They know the charge and nothing of the shop."""

from datetime import date

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from inventory.models import SandboxCharge
from inventory.payments.sandbox import book
from inventory.payments.sandbox.cards import BY_NUMBER, CARDS, is_luhn_valid

State = SandboxCharge.State
CHALLENGE_CODE = "123456"


class CardForm(forms.Form):
    """A card as people type it; only the printed test cards are taken, so that no real one is ever sent."""

    number = forms.CharField(label="Card number", max_length=23)
    expiry = forms.CharField(label="Expiry", max_length=7)
    cvc = forms.CharField(label="Security code", max_length=4)

    def clean_number(self) -> str:
        """Accept spaces and hyphens; refuse a wrong check digit and any card that is not a test card."""
        number = "".join(c for c in self.cleaned_data["number"] if c not in " -")
        if not (number.isascii() and number.isdigit()) or len(number) != 16 or not is_luhn_valid(number):
            raise forms.ValidationError("This is not a card number. Check the digits.")
        if number not in BY_NUMBER:
            raise forms.ValidationError("This is a test: use one of the cards below, never a real one.")
        return number

    def clean_expiry(self) -> str:
        """Accept MM/YY in the future."""
        month, _, year = self.cleaned_data["expiry"].replace(" ", "").partition("/")
        if not (month.isdigit() and year.isdigit() and len(year) in (2, 4) and 1 <= int(month) <= 12):
            raise forms.ValidationError("Write it as MM/YY, for example 12/30.")
        today = date.today()  # noqa: DTZ011  Cards expire by the month; a day's difference is none.
        if (int(year[-2:]) + 2000, int(month)) < (today.year, today.month):
            raise forms.ValidationError("This card has expired.")
        return f"{int(month):02d}/{year[-2:]}"

    def clean_cvc(self) -> str:
        """Accept three or four digits."""
        cvc = self.cleaned_data["cvc"].strip()
        if not (cvc.isascii() and cvc.isdigit() and len(cvc) in (3, 4)):
            raise forms.ValidationError("The three digits on the back of the card.")
        return cvc


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, charge_id: str) -> HttpResponse:
    """Show the card form of an open charge; a card entered is used at once, and only its last four digits are kept."""
    charge = get_object_or_404(SandboxCharge, id=charge_id)
    if charge.state == State.CHALLENGE:
        return HttpResponseRedirect("challenge/")
    if charge.state != State.OPEN:
        return HttpResponseRedirect(charge.return_url)
    form = CardForm(request.POST or None)
    if request.method == "POST":
        if request.POST.get("action") == "back":
            return HttpResponseRedirect(book.give_up(charge_id=charge_id).return_url)
        if form.is_valid():
            charge = book.pay(charge_id=charge_id, card=BY_NUMBER[form.cleaned_data["number"]])
            return HttpResponseRedirect("challenge/" if charge.state == State.CHALLENGE else charge.return_url)
    context = {"charge": charge, "form": form, "cards": CARDS, "next_year": (date.today().year + 3) % 100}  # noqa: DTZ011
    return render(request, "inventory/sandbox/pay.html", context, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def challenge(request: HttpRequest, charge_id: str) -> HttpResponse:
    """Stand for the bank's 3-D Secure page: a code that a real bank would send to the buyer's telephone."""
    charge = get_object_or_404(SandboxCharge, id=charge_id)
    if charge.state != State.CHALLENGE:
        return HttpResponseRedirect(charge.return_url)
    error = ""
    if request.method == "POST":
        if request.POST.get("action") == "refuse":
            return HttpResponseRedirect(book.answer_challenge(charge_id=charge_id, passed=False).return_url)
        if request.POST.get("code", "").strip() == CHALLENGE_CODE:
            return HttpResponseRedirect(book.answer_challenge(charge_id=charge_id, passed=True).return_url)
        error = "That is not the code. It is printed above."
    context = {"charge": charge, "code": CHALLENGE_CODE, "error": error}
    return render(request, "inventory/sandbox/challenge.html", context, status=422 if error else 200)
