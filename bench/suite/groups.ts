import type { Case, Group } from "./case.ts";
import { flowGroups } from "./flows.ts";
import { topologyGroups } from "./topologies.ts";
import { walkGroup } from "./walks.ts";

/** Everything that is measured, in this order. */
export const groups: readonly Group[] = [walkGroup, ...flowGroups, ...topologyGroups];

export const allCases: readonly Case[] = groups.flatMap(({ cases }) => cases);
