// SPDX-License-Identifier: GPL-2.0-or-later
//
// Node, the package xmlrpc of npm. Arguments: address, user.
'use strict'

const { promisify } = require('util')
const xmlrpc = require('xmlrpc')

const [address, user] = process.argv.slice(2)
const client = xmlrpc.createClient(address)
const send = promisify(client.methodCall.bind(client))
const call = (method, ...params) => send(method, params)

async function main () {
  const session = await call('login', user, process.env.NUCT_PASSWORD)

  const filters = { proto: 'tcp', orig_dst: '198.51.100.0/24', id: '>=2147483648' }
  const view = await call('view', session, filters, 'mark', 'DESC', 0, 8)
  console.log('total', view.total)
  const rows = view.table
  for (const r of rows) {
    console.log('row', r.id, r.orig_ipv4_src, r.orig_port_src, r.orig_ipv4_dst, r.orig_port_dst,
      r.mark, r.state, Number(r.assured))
  }
  console.log('type', typeof rows[0].id)

  async function kill (way, row, value) {
    let outcome = 'ok'
    try {
      await call('kill', session, [value])
    } catch (error) {
      outcome = error.faultCode ? `fault ${error.faultCode} ${error.faultString}` : `client ${error.message}`
    }
    console.log('kill', way, row.id, outcome)
  }

  await kill('key', rows[0], rows[0].key)
  await kill('string', rows[1], String(rows[1].id))
  await kill('integer', rows[2], Number(rows[2].id))
  await kill('negative', rows[4], Number(rows[4].id) | 0)

  const mark = async row => (await call('view', session, { id: String(row.id) })).table[0].mark

  await call('change', session, 'mark', rows[6].key, '4026531841')
  console.log('stale', rows[6].id, await mark(rows[6]))
  console.log('nothing', await call('refresh', session))
  console.log('fresh', rows[6].id, await mark(rows[6]))
  await call('change', session, 'timeout', rows[7].key, 86400)
  console.log('timeout', rows[7].id, 86400)

  await call('view', session, { colour: 'red' }).catch(error => {
    console.log('fault', error.faultCode, error.faultString)
  })
  await call('logout', session)
}

main().catch(error => {
  console.error(error)
  process.exitCode = 1
})
