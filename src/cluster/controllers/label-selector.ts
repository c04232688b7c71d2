/** Which labels a selector matches (`apimachinery/pkg/labels`), for pods and for nodes. */
import type { LabelSelector } from "kubernetes-types/meta/v1.js";

/** Labels by key. */
export type Labels = Readonly<Record<string, string>>;

/** One requirement: of a label selector, or of a node selector (which adds Gt and Lt). */
export interface Requirement {
  key: string;
  operator: string;
  values?: string[];
}

/** True when every pair of the selector is among the labels; the empty selector matches everything. */
export function matchesLabels(selector: Labels, labels: Labels): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** True when the labels meet `matchLabels` and every expression. */
export function matchesSelector(selector: LabelSelector, labels: Labels): boolean {
  if (!matchesLabels(selector.matchLabels ?? {}, labels)) return false;
  return (selector.matchExpressions ?? []).every((requirement) => meets(requirement, labels));
}

/** One requirement; NotIn is met by an absent label too, Gt and Lt compare whole numbers. */
export function meets({ key, operator, values = [] }: Requirement, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return value !== undefined && Number(value) > Number(values[0]);
    case "Lt":
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      throw new Error(`selector operator ${operator} passed validation`);
  }
}
