/** Height of the ruler above the lanes, px. */
export const RULER = 24;
/** Least height of a lane, px. */
export const LANE = 18;
/** Most of it, px: beyond that a few lanes on a tall screen would be bars without a picture in them. */
export const TALLEST_LANE = 132;
/** Where the plotted part begins: names stand beside it where there is room, else inside the lanes. */
export const plotLeft = (width: number): number => (width >= 600 ? 104 : 0);
