import { workflowChaos } from "./workflow-suite.ts";

workflowChaos({ title: "DBOS", engineOf: () => ({}), kills: 25 });
