import type { ASTNode } from 'graphql'
import type { SchemaModel } from '../schema-model'
import type { LintCode } from './rules'

/** Describes what a rule says; places are added around it. */
export interface Finding {
  code: LintCode
  coordinate: string
  message: string
  node: ASTNode | undefined
}

/** A subgraph as rules see it. */
export interface LintedSubgraph {
  name: string
  schema: SchemaModel
  /** The types this subgraph owns, against those it refers to or contributes to. */
  owns(typeName: string): boolean
  /** Tells whether any subgraph has something at a coordinate. */
  exists(coordinate: string): boolean
}
