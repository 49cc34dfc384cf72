//! People and directories of the account of [`mailbox_stage::account`], and a way into these: 7001 to 7009 are their ids and what is dialled.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "tests; each uses a part")]

use std::fmt::Write as _;

/// Where the dialplan would come from a number or a menu.
pub const WAY_IN: &str = r#"
[tandem-from-line]
exten => _700[1-9],1,Set(TANDEM_DIALLED=${EXTEN})
 same => n,Set(TANDEM_VIA=line)
 same => n,Set(TANDEM_KIND=line)
 same => n,Set(TANDEM_ID=${CHANNEL(endpoint)})
 same => n,Set(TANDEM_TRY_COUNT=0)
 same => n,Set(TANDEM_CALLER_NUMBER=${TANDEM_ID})
 same => n,Set(TANDEM_ACTION=directory)
 same => n,Set(TANDEM_DIRECTORY_ID=${EXTEN})
 same => n,Gosub(tandem-act,start,1)
 same => n,Hangup(34)
"#;

/// Alice Baker (sales) is at the extension of her number, 3190, which is everybody's else, too; Zoë Baker (care) at 3195. One is hidden, one suspended. Ten
/// are called Quist: two menus. Eighteen begin with 946 (Zimmer), which is too many; one of these is a
/// Zinser. Uma Voss has a mailbox and no extension.
#[must_use]
pub fn people() -> String {
    let mut sql = String::new();
    let mut add = |id: &str, name: &str, more: &str| {
        let _ = writeln!(
            sql,
            "INSERT INTO mailboxes (id, account_id, number, name, extension, created_at)
                VALUES ('{id}', 'voice', '8{id}', '{name}', '3190', '2026-01-01 00:00:00');
             UPDATE mailboxes SET {more} WHERE id = '{id}';"
        );
    };
    let visible = "hidden = FALSE";
    add("01", "Alice Baker", "number = '3190', extension = NULL, department = 'Sales'");
    add("02", "Zoë Baker", "extension = '3195', department = 'Care'");
    add("03", "Ludwig van Beethoven", visible);
    add("04", "Alice Bakewell", "hidden = TRUE");
    add("05", "Alice Bakestone", "status = 'suspended'");
    for nth in 0..10 {
        add(&format!("1{nth}"), &format!("{} Quist", char::from(b'A' + nth)), visible);
    }
    for nth in 0..17 {
        add(&format!("2{nth:02}"), &format!("{} Zimmer", char::from(b'A' + nth)), visible);
    }
    add("30", "Kai Zinser", visible);
    add("40", "Uma Voss", "number = '3140', extension = NULL");
    sql += "INSERT INTO directories (id, account_id, name, department, search, letters, presentation, say_extension, operator, language) VALUES
        ('7001', 'voice', 'Everybody', '', 'both', 3, 'one', FALSE, '3198', ''),
        ('7002', 'voice', 'Menu', '', 'both', 3, 'menu', FALSE, '3198', ''),
        ('7003', 'voice', 'Last names', '', 'last', 3, 'one', TRUE, '', ''),
        ('7004', 'voice', 'First names', '', 'first', 3, 'one', FALSE, '', 'en'),
        ('7005', 'voice', 'Sales', 'Sales', 'both', 3, 'one', FALSE, '', ''),
        ('7006', 'voice', 'One letter', '', 'both', 1, 'menu', TRUE, '', '');\n";
    sql
}
