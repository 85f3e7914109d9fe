/** JGit as a client. */
import { clientJourney } from "../../support/clients/client-journey.ts";
import { jgit } from "../../support/clients/jgit.ts";

clientJourney(jgit);
