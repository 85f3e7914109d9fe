/** isomorphic-git as a client. */
import { clientJourney } from "../../support/clients/client-journey.ts";
import { isomorphicGit } from "../../support/clients/isomorphic-git.ts";

clientJourney(isomorphicGit);
