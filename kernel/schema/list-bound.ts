/**
 * Says how many items a list has at most, in every argument and input of the graph; the lists of `in` and `notIn` of one
 * filter have as many together. Several times the largest page, whose rows one may wish to look up elsewhere.
 */
export const mostItems = 500
