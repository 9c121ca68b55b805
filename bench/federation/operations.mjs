const book = '...B'
const fragment = `fragment B on Book { id title pages price author { name country } available shelf { room number } loanFee }`

/** Readers, what they rated, who else rated it, and what those rated: fetches in many levels, thousands of fields. */
export const large = `query Large {
  readers(first: 12) {
    id name email memberSince
    ratings {
      id stars text
      book { ${book} ratings { id stars reader { id name ratings { id stars book { id title available loanFee } } } } }
    }
  }
  newBooks(first: 6) {
    ${book}
    ratings { id stars text reader { id name email ratings { id book { ${book} } } } }
  }
}
${fragment}`

export const small = `query Small {
  reader(id: "3") { id name ratings(first: 2) { stars book { title available loanFee } } }
}`

const bookFields = [
  'title',
  'pages',
  'price',
  'available',
  'loanFee',
  'author { name }',
  'shelf { room }',
  'shelf { number }',
  'author { country }',
]

/** A new operation text each time: another choice of fields below another choice of aliases. */
export function distinct(index) {
  const chosen = bookFields.filter(
    (_, place) => ((index >> place) & 1) === 0 || place === index % bookFields.length,
  )
  return `query Distinct${index} {
  a${index}: reader(id: "${(index % 90) + 1}") {
    name ratings(first: 2) { stars book { id ${chosen.join(' ')} ratings(first: 1) { text reader { id email } } } }
  }
}`
}
