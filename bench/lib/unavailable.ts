/** Why a figure can't be had on this machine: something is not installed, or not built. */
export class Unavailable extends Error {}
