/** libgit2 as a client. */
import { clientJourney } from "../../support/clients/client-journey.ts";
import { libgit2 } from "../../support/clients/python-client.ts";

clientJourney(libgit2);
