"""Who holds, who bought: stock, holds, orders, payments, tickets."""
