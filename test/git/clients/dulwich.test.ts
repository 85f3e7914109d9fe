/** dulwich as a client. */
import { clientJourney } from "../../support/clients/client-journey.ts";
import { dulwich } from "../../support/clients/python-client.ts";

clientJourney(dulwich);
