with builtins; [ (tryEval (throw "x")) (tryEval (assert false; 1)) (tryEval 5) (tryEval { a = throw "inner"; }).success (tryEval (tryEval (throw "a"))).success
  (tryEval (import <surely-not-there>)).success (seq 1 2) (deepSeq { a = [ 1 ]; } 3) (tryEval (deepSeq { a = throw "x"; } 3)).success ]
