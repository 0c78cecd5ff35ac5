// What the worker and the code in the sandbox call each other by. Recorded histories hold these names: they stay.

/** The one workflow function that a bundle exports; its argument says which declared workflow it runs. */
export const workflowType = "qinfra";
/** Signal that carries a message of the platform. */
export const messageSignal = "message";
export const usualTaskQueue = "qinfra";

/** An activity that was silent for so long is given to another worker. */
export const silentMs = 15_000;
/** How often a running activity says that it lives. */
export const beatMs = 3_000;
