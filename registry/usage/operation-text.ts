import { namedType, type ArgumentModel, type SchemaModel } from '../schema-model'

const [letter, digit, ignored] = [1, 2, 3]
const characters = new Uint8Array(128)
for (let code = 0; code < characters.length; code++) {
  const character = String.fromCharCode(code)
  if (/[A-Za-z_]/.test(character)) characters[code] = letter
  else if (/[0-9]/.test(character)) characters[code] = digit
  else if (/[\t\n\r ,]/.test(character)) characters[code] = ignored
}
const code = (character: string) => character.charCodeAt(0)
const [dollar, at, bang, colon, equals] = [code('$'), code('@'), code('!'), code(':'), code('=')]
const [open, close, dot, quote] = [code('('), code(')'), code('.'), code('"')]
const [listOpen, listClose, setOpen, setClose] = [code('['), code(']'), code('{'), code('}')]
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y
const emptyText = /""(?!")/y

/** Thrown where a text goes on in a way that only a parser should read. */
const unusual = Symbol('unusual')

/** A type with what is found where it is selected; made when an operation first comes there. */
interface ScannedType<Use> {
  name: string
  use: Use
  fields: ReadonlyMap<string, ScannedField<Use>>
}

interface ScannedField<Use> {
  coordinate: string
  use: Use
  args: ScannedArguments<Use>
  resultName: string
  result: ScannedType<Use> | undefined
}

type ScannedArguments<Use> = ReadonlyMap<string, { use: Use; typeName: string }>

/**
 * Finds in the text of one operation what `coordinatesOf` finds in its document, without making a document: a check
 * reads thousands. What it does not read are named fragments, comments, texts with something in them, and fields that
 * the schema does not have; what it has found until then is right as well.
 *
 * @param useOf what stands for a coordinate; asked once for each coordinate that has it in the schema, so that nothing
 * needs to be looked up by its text
 * @param found is told what stands for each coordinate that the text uses, for some of them repeatedly
 * @returns a function of the text; false when it was not read to its end: only a parser can say what it means, or
 * whether it is GraphQL at all
 */
export function operationScanner<Use>(
  schema: SchemaModel,
  useOf: (coordinate: string) => Use,
  found: (use: Use) => void,
): (text: string) => boolean {
  let text = ''
  let position = 0
  const types = new Map<string, ScannedType<Use>>()
  const directiveArguments = new Map<string, ScannedArguments<Use>>()

  function typeOf(name: string): ScannedType<Use> {
    let type = types.get(name)
    if (type) return type
    const fields = new Map<string, ScannedField<Use>>()
    for (const field of schema.types.get(name)?.fields.values() ?? []) {
      const coordinate = `${name}.${field.name}`
      fields.set(field.name, {
        coordinate,
        use: useOf(coordinate),
        args: argumentsOf(coordinate, field.args),
        resultName: namedType(field.type),
        result: undefined,
      })
    }
    types.set(name, (type = { name, use: useOf(name), fields }))
    return type
  }

  function argumentsOf(
    coordinate: string,
    args: ReadonlyMap<string, ArgumentModel> | undefined,
  ): ScannedArguments<Use> {
    const known = new Map<string, { use: Use; typeName: string }>()
    for (const { name, type } of args?.values() ?? [])
      known.set(name, { use: useOf(`${coordinate}(${name}:)`), typeName: namedType(type) })
    return known
  }

  const foundNamed = (coordinate: string) => found(useOf(coordinate))

  /** The kind of the character here: 0 for what is neither of a name nor ignored, and behind the end. */
  const kind = () => characters[text.charCodeAt(position) | 0]
  const sees = (character: number) => text.charCodeAt(position) === character
  function skip(): void {
    while (kind() === ignored) position++
  }

  function take(character: number): boolean {
    if (!sees(character)) return false
    position++
    skip()
    return true
  }

  function need(character: number): void {
    if (!take(character)) throw unusual
  }

  function needMatch(pattern: RegExp): void {
    pattern.lastIndex = position
    if (!pattern.test(text)) throw unusual
    position = pattern.lastIndex
    skip()
  }

  function word(): string {
    if (kind() !== letter) throw unusual
    const start = position++
    for (let next = kind(); next === letter || next === digit; next = kind()) position++
    const name = text.slice(start, position)
    skip()
    return name
  }

  function operation(): void {
    skip()
    let root = schema.roots.query
    if (!sees(setOpen)) {
      const keyword = word()
      if (keyword !== 'query' && keyword !== 'mutation' && keyword !== 'subscription') throw unusual
      root = schema.roots[keyword]
      if (kind() === letter) word()
      if (take(open)) variables()
      directives()
    }
    if (!root) throw unusual
    selections(typeOf(root))
    if (position < text.length) throw unusual
  }

  function variables(): void {
    do {
      need(dollar)
      word()
      need(colon)
      const typeName = typeReference()
      foundNamed(typeName)
      if (take(equals)) value(typeName, true)
    } while (!take(close))
  }

  function typeReference(): string {
    const list = take(listOpen)
    const typeName = list ? typeReference() : word()
    if (list) need(listClose)
    take(bang)
    return typeName
  }

  function selections(type: ScannedType<Use>): void {
    found(type.use)
    need(setOpen)
    do {
      if (sees(dot)) {
        inlineFragment(type)
        continue
      }
      let name = word()
      if (take(colon)) name = word()
      const field = type.fields.get(name)
      if (!field) {
        if (name !== '__typename') throw unusual
        directives()
        continue
      }
      found(field.use)
      if (take(open)) args(field.coordinate, field.args)
      directives()
      const result = (field.result ??= typeOf(field.resultName))
      if (sees(setOpen)) selections(result)
      else found(result.use)
    } while (!take(setClose))
  }

  function inlineFragment(type: ScannedType<Use>): void {
    if (!text.startsWith('...', position)) throw unusual
    position += 3
    skip()
    let condition = type
    if (kind() === letter) {
      if (word() !== 'on') throw unusual
      condition = typeOf(word())
    }
    if (condition !== type) foundNamed(`${type.name}>${condition.name}`)
    directives()
    selections(condition)
  }

  function directives(): void {
    while (take(at)) {
      const coordinate = `@${word()}`
      foundNamed(coordinate)
      if (!take(open)) continue
      let known = directiveArguments.get(coordinate)
      if (!known) {
        known = argumentsOf(coordinate, schema.directives.get(coordinate.slice(1))?.args)
        directiveArguments.set(coordinate, known)
      }
      args(coordinate, known)
    }
  }

  function args(coordinate: string, known: ScannedArguments<Use>): void {
    do {
      const name = word()
      need(colon)
      const argument = known.get(name)
      found(argument?.use ?? useOf(`${coordinate}(${name}:)`))
      value(argument?.typeName, false)
    } while (!take(close))
  }

  /** @param typeName undefined where the schema does not know what it is a value of: names in it mean nothing */
  function value(typeName: string | undefined, constant: boolean): void {
    if (kind() === letter) {
      const name = word()
      if (typeName !== undefined && name !== 'true' && name !== 'false' && name !== 'null')
        foundNamed(`${typeName}.${name}`)
    } else if (sees(quote)) needMatch(emptyText)
    else if (!constant && take(dollar)) word()
    else if (take(listOpen)) while (!take(listClose)) value(typeName, constant)
    else if (take(setOpen)) {
      if (typeName !== undefined) foundNamed(typeName)
      while (!take(setClose)) {
        const name = word()
        need(colon)
        if (typeName !== undefined) foundNamed(`${typeName}.${name}`)
        const field = schema.types.get(typeName ?? '')?.inputFields.get(name)
        value(field && namedType(field.type), constant)
      }
    } else needMatch(number)
  }

  return (operationText) => {
    text = operationText
    position = 0
    try {
      operation()
      return true
    } catch (reason) {
      // Nested deeper than the stack goes: the parser says so.
      if (reason === unusual || reason instanceof RangeError) return false
      throw reason
    }
  }
}
